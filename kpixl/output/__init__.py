"""What is made from a portfolio for people."""
