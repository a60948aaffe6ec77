"""What can be typed after `gridbazaar`? A module for each command; heavy imports are inside, so that help is quick."""
