"""The Data screen: datasets, cleaning rules and the join with IMDb."""
