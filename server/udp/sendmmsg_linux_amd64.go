package udp

// sysSendmmsg is missing from package syscall, which was frozen before sendmmsg(2).
const sysSendmmsg = 307
