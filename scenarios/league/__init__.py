"""What does it gain to act otherwise than a price taker does, and whom does it cost?"""
