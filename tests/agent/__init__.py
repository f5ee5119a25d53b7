"""The tests of the chat agent backend."""
