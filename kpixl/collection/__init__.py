"""The round of a form: what was sent, what came back, and what follows."""
