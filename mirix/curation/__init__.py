"""What users decide about their memory as a whole: review, late sealing, forgetting, new vectors."""
