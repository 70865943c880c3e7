"""What a form is made of: the types of its fields, and the unit of its amounts."""
