"""Bytes on the wire: server-sent events, WebSocket frames, the loop that receives them."""
