"""Who gets which GPUs: allocation under a tree of budgets, and dated reallocation."""
