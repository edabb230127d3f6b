/*
 * void fiber_switch(void **save, void *load): keeps what a function must keep on the present stack, stores
 * the stack pointer in *save, takes up the stack `load`, restores what was kept there and goes on there.
 *
 * It leaves by a jump, not by a return: the processor predicts returns by its own stack of calls, which
 * this function has just made wrong, and a wrong guess costs as much as the whole switch. A shadow stack
 * would forbid it, hence no such property note.
 *
 * fiber_trampoline is where a new stack begins; fiber_prepare() in fiber.c lays out what is found there.
 */
#if defined(__x86_64__)

        .text
        .globl  fiber_switch
        .hidden fiber_switch
        .type   fiber_switch, @function
        .p2align 4
fiber_switch:
        .cfi_startproc
        endbr64
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        stmxcsr (%rsp)
        fnstcw  4(%rsp)
        movq    %rsp, (%rdi)
        movq    %rsi, %rsp
        ldmxcsr (%rsp)
        fldcw   4(%rsp)
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        popq    %r15
        .cfi_adjust_cfa_offset -8
        popq    %r14
        .cfi_adjust_cfa_offset -8
        popq    %r13
        .cfi_adjust_cfa_offset -8
        popq    %r12
        .cfi_adjust_cfa_offset -8
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        popq    %rcx
        .cfi_adjust_cfa_offset -8
        .cfi_register %rip, %rcx
        notrack jmp *%rcx
        .cfi_endproc
        .size   fiber_switch, . - fiber_switch

        .globl  fiber_trampoline
        .hidden fiber_trampoline
        .type   fiber_trampoline, @function
        .p2align 4
fiber_trampoline:
        .cfi_startproc
        .cfi_undefined %rip
        endbr64
        movq    %rbx, %rdi
        call    fiber_main@PLT
        ud2
        .cfi_endproc
        .size   fiber_trampoline, . - fiber_trampoline

#elif defined(__aarch64__)

        .text
        .globl  fiber_switch
        .hidden fiber_switch
        .type   fiber_switch, %function
        .p2align 4
fiber_switch:
        .cfi_startproc
        sub     sp, sp, #176
        .cfi_adjust_cfa_offset 176
        stp     x19, x20, [sp, #0]
        stp     x21, x22, [sp, #16]
        stp     x23, x24, [sp, #32]
        stp     x25, x26, [sp, #48]
        stp     x27, x28, [sp, #64]
        stp     x29, x30, [sp, #80]
        stp     d8, d9, [sp, #96]
        stp     d10, d11, [sp, #112]
        stp     d12, d13, [sp, #128]
        stp     d14, d15, [sp, #144]
        mrs     x9, fpcr
        str     x9, [sp, #160]
        mov     x9, sp
        str     x9, [x0]
        mov     sp, x1
        ldp     x19, x20, [sp, #0]
        ldp     x21, x22, [sp, #16]
        ldp     x23, x24, [sp, #32]
        ldp     x25, x26, [sp, #48]
        ldp     x27, x28, [sp, #64]
        ldp     x29, x30, [sp, #80]
        ldp     d8, d9, [sp, #96]
        ldp     d10, d11, [sp, #112]
        ldp     d12, d13, [sp, #128]
        ldp     d14, d15, [sp, #144]
        ldr     x9, [sp, #160]
        msr     fpcr, x9
        add     sp, sp, #176
        .cfi_adjust_cfa_offset -176
        br      x30
        .cfi_endproc
        .size   fiber_switch, . - fiber_switch

        .globl  fiber_trampoline
        .hidden fiber_trampoline
        .type   fiber_trampoline, %function
        .p2align 4
fiber_trampoline:
        .cfi_startproc
        .cfi_undefined x30
        mov     x0, x19
        bl      fiber_main
        brk     #1
        .cfi_endproc
        .size   fiber_trampoline, . - fiber_trampoline

#else
#error "fibers need a switch for this processor: write it here, and its fiber_prepare in fiber.c"
#endif

        .section .note.GNU-stack, "", %progbits
