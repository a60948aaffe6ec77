"""What comes of a horizon that rolls: window after window, each settled, what stores hold handed over?"""
