"""What does one begin with who writes a behaviour, or a scenario, of one's own?"""
