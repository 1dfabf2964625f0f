"""Usage, budgets and prices for programs, beneath /api/v1."""
