"""What a fitted model is used for: lists, groups, explanations, similar movies, tastes and the interview."""
