"""What a fitted model answers: ranking, groups, explanations, similar movies, taste, the interview."""
