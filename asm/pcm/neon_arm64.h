// Instructions that Go's assembler does not have. Arguments are numbers of V registers, the
// destination last, as in Go's own: SSUBW(m, n, d) subtracts m from n.

#define SADDW(m, n, d) WORD $(0x0E601000|(m)<<16|(n)<<5|(d))  // saddw Vd.4s, Vn.4s, Vm.4h
#define SADDW2(m, n, d) WORD $(0x4E601000|(m)<<16|(n)<<5|(d)) // saddw2 Vd.4s, Vn.4s, Vm.8h
#define SSUBW(m, n, d) WORD $(0x0E603000|(m)<<16|(n)<<5|(d))  // ssubw Vd.4s, Vn.4s, Vm.4h
#define SSUBW2(m, n, d) WORD $(0x4E603000|(m)<<16|(n)<<5|(d)) // ssubw2 Vd.4s, Vn.4s, Vm.8h

#define SMULL(m, n, d) WORD $(0x0E60C000|(m)<<16|(n)<<5|(d))  // smull Vd.4s, Vn.4h, Vm.4h
#define SMULL2(m, n, d) WORD $(0x4E60C000|(m)<<16|(n)<<5|(d)) // smull2 Vd.4s, Vn.8h, Vm.8h
#define SMLAL(m, n, d) WORD $(0x0E608000|(m)<<16|(n)<<5|(d))  // smlal Vd.4s, Vn.4h, Vm.4h
#define SMLAL2(m, n, d) WORD $(0x4E608000|(m)<<16|(n)<<5|(d)) // smlal2 Vd.4s, Vn.8h, Vm.8h

#define SQXTN(n, d) WORD $(0x0E614800|(n)<<5|(d))         // sqxtn Vd.4h, Vn.4s
#define SQXTN2(n, d) WORD $(0x4E614800|(n)<<5|(d))        // sqxtn2 Vd.8h, Vn.4s
#define SQXTN1(n, d) WORD $(0x5E614800|(n)<<5|(d))        // sqxtn Hd, Sn
#define SQRSHRN12(n, d) WORD $(0x0F149C00|(n)<<5|(d))     // sqrshrn Vd.4h, Vn.4s, #12
#define SQRSHRN12_2(n, d) WORD $(0x4F149C00|(n)<<5|(d))   // sqrshrn2 Vd.8h, Vn.4s, #12
#define SQRSHRN12_1(n, d) WORD $(0x5F149C00|(n)<<5|(d))   // sqrshrn Hd, Sn, #12

#define ABS(n, d) WORD $(0x4E60B800|(n)<<5|(d))           // abs Vd.8h, Vn.8h
#define UMAXV(n, d) WORD $(0x6E70A800|(n)<<5|(d))         // umaxv Hd, Vn.8h
#define UADALP(n, d) WORD $(0x6EA06800|(n)<<5|(d))        // uadalp Vd.2d, Vn.4s

#define ABS4(n, d) WORD $(0x4EA0B800|(n)<<5|(d))          // abs Vd.4s, Vn.4s
#define UMAXV4(n, d) WORD $(0x6EB0A800|(n)<<5|(d))        // umaxv Sd, Vn.4s

#define SCVTF4(n, d) WORD $(0x4E21D800|(n)<<5|(d))        // scvtf Vd.4s, Vn.4s
#define SCVTF1(n, d) WORD $(0x5E21D800|(n)<<5|(d))        // scvtf Sd, Sn
#define FCVTNS4(n, d) WORD $(0x4E21A800|(n)<<5|(d))       // fcvtns Vd.4s, Vn.4s
#define FCVTNS1(n, d) WORD $(0x5E21A800|(n)<<5|(d))       // fcvtns Sd, Sn
#define FADD4(m, n, d) WORD $(0x4E20D400|(m)<<16|(n)<<5|(d)) // fadd Vd.4s, Vn.4s, Vm.4s
#define FMUL4(m, n, d) WORD $(0x6E20DC00|(m)<<16|(n)<<5|(d)) // fmul Vd.4s, Vn.4s, Vm.4s
