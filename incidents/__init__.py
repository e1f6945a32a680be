"""What happens: report, route, dispatch, handle, verify, close; the verbs and their story."""
