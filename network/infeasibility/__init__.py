"""What is short, where and why, and what would relieve it?"""
