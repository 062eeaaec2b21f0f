"""What a person brings along from other services: their ratings, watchlists and diaries, as exported there."""
