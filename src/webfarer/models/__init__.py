"""Chat models: endpoint (any OpenAI-compatible server), scripted (tests), and the prompts that fence page text."""
