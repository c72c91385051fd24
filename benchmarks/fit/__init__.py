"""How well the fit finds motion: made people with known truth."""
