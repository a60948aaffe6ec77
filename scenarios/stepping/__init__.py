"""How does a person step through a market, look, go back, and try otherwise?"""
