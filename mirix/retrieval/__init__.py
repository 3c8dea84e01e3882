"""How it is found: topics, arms, fusion, context, answer."""
