"""What a person must look at, and the decision. `is_cleared(subject)` is the gate that the apps ask."""
