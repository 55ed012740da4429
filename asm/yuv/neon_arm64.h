// Instructions that Go's assembler does not have. Arguments are numbers of V registers, the
// destination last, as in Go's own; in the names, what is added to the mnemonic is a shift.

#define SMLAL(m, n, d) WORD $(0x0E608000|(m)<<16|(n)<<5|(d))  // smlal Vd.4s, Vn.4h, Vm.4h
#define SMLAL2(m, n, d) WORD $(0x4E608000|(m)<<16|(n)<<5|(d)) // smlal2 Vd.4s, Vn.8h, Vm.8h
#define UMULL(m, n, d) WORD $(0x2E20C000|(m)<<16|(n)<<5|(d))  // umull Vd.8h, Vn.8b, Vm.8b
#define UMULL2(m, n, d) WORD $(0x6E20C000|(m)<<16|(n)<<5|(d)) // umull2 Vd.8h, Vn.16b, Vm.16b
#define UMLAL(m, n, d) WORD $(0x2E208000|(m)<<16|(n)<<5|(d))  // umlal Vd.8h, Vn.8b, Vm.8b
#define UMLAL2(m, n, d) WORD $(0x6E208000|(m)<<16|(n)<<5|(d)) // umlal2 Vd.8h, Vn.16b, Vm.16b

#define UADDLP(n, d) WORD $(0x6E202800|(n)<<5|(d)) // uaddlp Vd.8h, Vn.16b
#define UADALP(n, d) WORD $(0x6E206800|(n)<<5|(d)) // uadalp Vd.8h, Vn.16b

#define RSHRN7(n, d) WORD $(0x0F198C00|(n)<<5|(d))   // rshrn Vd.4h, Vn.4s, #7
#define RSHRN7_2(n, d) WORD $(0x4F198C00|(n)<<5|(d)) // rshrn2 Vd.8h, Vn.4s, #7
#define RSHRN2(n, d) WORD $(0x0F0E8C00|(n)<<5|(d))   // rshrn Vd.8b, Vn.8h, #2
#define RSHRN2_2(n, d) WORD $(0x4F0E8C00|(n)<<5|(d)) // rshrn2 Vd.16b, Vn.8h, #2
#define RSHRN4(n, d) WORD $(0x0F0C8C00|(n)<<5|(d))   // rshrn Vd.8b, Vn.8h, #4
#define RSHRN4_2(n, d) WORD $(0x4F0C8C00|(n)<<5|(d)) // rshrn2 Vd.16b, Vn.8h, #4
#define URSHR21(n, d) WORD $(0x6F2B2400|(n)<<5|(d))  // urshr Vd.4s, Vn.4s, #21
#define URSHR8(n, d) WORD $(0x6F182400|(n)<<5|(d))   // urshr Vd.8h, Vn.8h, #8

#define RADDHN(m, n, d) WORD $(0x2E204000|(m)<<16|(n)<<5|(d))  // raddhn Vd.8b, Vn.8h, Vm.8h
#define RADDHN2(m, n, d) WORD $(0x6E204000|(m)<<16|(n)<<5|(d)) // raddhn2 Vd.16b, Vn.8h, Vm.8h
