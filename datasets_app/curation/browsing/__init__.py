"""Looking into a frozen version: an index beside its rows, questions to it, rows by place, differences, exports."""
