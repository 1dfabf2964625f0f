"""What a version is like as a whole: how varied, how even, whom it speaks of. Judges no single row, changes nothing."""
