"""What an office put into its summary workbook is carried over when the summary is made anew."""
