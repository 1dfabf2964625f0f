"""What people start from: a use case with its recipe, preset, instructions, questions and sample data."""
