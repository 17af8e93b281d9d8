"""The Security row of a target of server-rendered pages, tried by what a browser sends: pages asked for and forms."""
