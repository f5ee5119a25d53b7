"""What an attacker wants, and that the guard rails do not let them have it. One file for each kind of attack."""
