"""Files that are followed as they grow, through rotation, truncation and restarts."""
