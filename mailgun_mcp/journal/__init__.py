"""What calls did, and putting it back."""
