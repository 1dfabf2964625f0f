"""The starter model: its text, its tokenizer and the script that trains it, reproducible from a seed."""
