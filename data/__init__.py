"""What comes in: fetch, read, clean, split and encode datasets of movie ratings. Never imports torch or textual."""
