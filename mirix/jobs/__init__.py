"""The worker that drains the batches of users."""
