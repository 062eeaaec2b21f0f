"""What the processes send each other: wire format, requests, messages, jobs. Standard library only."""
