"""What does one begin with who writes a behaviour, a device, or a scenario, of one's own?"""
