"""What is written for people and programs."""
