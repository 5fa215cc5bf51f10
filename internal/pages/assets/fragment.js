// Sends what the institution has put in the fragment of the address, which a server does
// not see.
document.getElementById("fragment").value = location.hash;
history.replaceState(null, "", location.pathname);
document.getElementById("back").submit();
