"""What can they find out of a prosumer who hear its messages, and what does it cost to tell less?"""
