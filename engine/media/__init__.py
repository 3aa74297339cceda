"""WHO ANSWERS: the media that carry a conversation after an accepted invitation."""
