"""What the app knows and does, without a screen: the session, child processes, the run queue. Needs no textual."""
