"""The desktop assistant: looks at the screen when it is asked to, and uses nothing of Mirix but its public names."""
