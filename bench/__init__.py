"""`make bench`: what runs cost, side by side with the other ways to start them. See README.md here."""
