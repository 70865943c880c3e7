"""What differs between two portfolios: as text, data for machines, and a workbook."""
