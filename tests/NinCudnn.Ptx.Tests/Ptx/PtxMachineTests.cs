using System.Runtime.InteropServices;
using Xunit;

namespace NinCudnn.Ptx.Tests.Ptx;

/// <summary>The interpreter on small kernels: what it runs, and what it refuses.</summary>
public class PtxMachineTests
{
    // A kernel of one pointer and one count: %rd1 is the pointer, %rd2 the address of the thread's own word, %r1 the thread.
    private static PtxEntry Kernel(string body) => PtxParser.Parse("small.ptx", $$"""
        .version 6.3
        .target sm_70
        .address_size 64
        .visible .entry kernel(
            .param .u64 kernel_param_0, // words
            .param .u32 kernel_param_1
        )
        {
            .reg .pred %p<4>;
            .reg .b16 %rs<4>;
            .reg .b32 %r<9>;
            .reg .f32 %f<4>;
            .reg .b64 %rd<6>;
            ld.param.u64 %rd5, [kernel_param_0];
            cvta.to.global.u64 %rd1, %rd5;
            mov.u32 %r1, %tid.x;
            mul.wide.u32 %rd3, %r1, 4;
            add.s64 %rd2, %rd1, %rd3;
        {{body}}
            ret;
        }
        """).Entries["kernel"];

    private static uint[] Run(string body, uint blockSize = 32, int words = 32, uint count = 0, uint blocks = 1, ThreadOrder order = ThreadOrder.Ascending)
    {
        var memory = new GlobalMemory();
        var bytes = new byte[words * 4];
        ulong address = memory.Add("words", bytes);
        PtxMachine.Launch(Kernel(body), memory, blocks, blockSize, [BitConverter.GetBytes(address), BitConverter.GetBytes(count)], order);
        return MemoryMarshal.Cast<byte, uint>(bytes).ToArray();
    }

    private static void Refuses(string body, string message, uint blockSize = 32, int words = 32) =>
        Assert.Contains(message, Assert.Throws<PtxException>(() => Run(body, blockSize, words)).Message, StringComparison.Ordinal);

    [Fact]
    public void SpecialRegisters_InAGrid_TellThePlace()
    {
        uint[] words = Run("""
            mov.u32 %r2, %ctaid.x;
            mov.u32 %r3, %ntid.x;
            mov.u32 %r4, %nctaid.x;
            mad.lo.s32 %r5, %r2, %r3, %r1;
            mul.wide.u32 %rd3, %r5, 4;
            add.s64 %rd2, %rd1, %rd3;
            mad.lo.s32 %r6, %r4, 1000, %r5;
            st.global.u32 [%rd2], %r6;
            """, blockSize: 5, words: 15, blocks: 3);
        Assert.Equal(Enumerable.Range(3000, 15).Select(i => (uint)i), words);
    }

    [Fact]
    public void Branch_Diverging_RunsEachLanesOwnWay()
    {
        uint[] words = Run("""
            and.b32 %r2, %r1, 1;
            setp.eq.s32 %p1, %r2, 0;
            mov.u32 %r3, 7;
            @%p1 bra $even;
            mov.u32 %r3, 9;
            $even:
            @!%p1 add.s32 %r3, %r3, 100;
            st.global.u32 [%rd2], %r3;
            """);
        Assert.Equal(Enumerable.Range(0, 32).Select(i => i % 2 == 0 ? 7u : 109u), words);
    }

    [Theory]
    [InlineData(nameof(ThreadOrder.Ascending))]
    [InlineData(nameof(ThreadOrder.Descending))]
    public void Shuffle_AfterDivergence_WaitsForAllLanes(string order)
    {
        // Lane i counts i steps before the first exchange; the sum over the warp is 0 + 1 + … + 31.
        uint[] words = Run("""
            mov.u32 %r2, 0;
            $loop:
            setp.ge.u32 %p1, %r2, %r1;
            @%p1 bra $done;
            add.s32 %r2, %r2, 1;
            bra.uni $loop;
            $done:
            mov.u32 %r4, 16;
            $reduce:
            shfl.sync.bfly.b32 %r3, %r2, %r4, 31, 0xffffffff;
            add.s32 %r2, %r2, %r3;
            shr.u32 %r4, %r4, 1;
            setp.ne.s32 %p2, %r4, 0;
            @%p2 bra $reduce;
            st.global.u32 [%rd2], %r2;
            """, order: Enum.Parse<ThreadOrder>(order));
        Assert.All(words, word => Assert.Equal(496u, word));
    }

    [Fact]
    public void Shuffle_ByParts_StaysInItsSegment()
    {
        // Clamp 31 with segment mask 24: segments of 8 lanes; the lane 8 further on lies beyond the segment's end.
        Assert.Equal(Enumerable.Range(0, 32).Select(i => (uint)((i & 8) == 0 ? i : i ^ 8)), Run("""
            shfl.sync.bfly.b32 %r2, %r1, 8, 6175, 0xffffffff;
            st.global.u32 [%rd2], %r2;
            """));
    }

    [Fact]
    public void Barrier_BetweenStoreAndLoad_ShowsTheNeighboursValue()
    {
        uint[] words = Run("""
            add.s32 %r2, %r1, 50;
            st.global.u32 [%rd2], %r2;
            bar.warp.sync 0xffffffff;
            xor.b32 %r3, %r1, 1;
            mul.wide.u32 %rd3, %r3, 4;
            add.s64 %rd4, %rd1, %rd3;
            ld.global.u32 %r4, [%rd4];
            bar.warp.sync 0xffffffff;
            st.global.u32 [%rd2], %r4;
            """);
        Assert.Equal(Enumerable.Range(0, 32).Select(i => (uint)(i ^ 1) + 50), words);
    }

    [Fact]
    public void Barrier_SomeLanesGone_IsADeadlock() => Refuses("""
        setp.eq.s32 %p1, %r1, 5;
        @%p1 ret;
        bar.warp.sync 0xffffffff;
        """, "waits for lanes that never come: 0 is at line 21, 1 is at line 21, 2 is at line 21, 3 is at line 21, 4 is at line 21, 5 has ended");

    [Fact]
    public void Shuffle_BlockOfLessThanAWarp_IsADeadlock() =>
        Refuses("shfl.sync.bfly.b32 %r2, %r1, 1, 31, 0xffffffff;", "waits for lanes that never come", blockSize: 31);

    [Fact]
    public void Shuffle_LaneOutsideItsMask_IsRefused() => Refuses("shfl.sync.bfly.b32 %r2, %r1, 1, 31, 0xfffffffe;", "not in its own mask");

    [Fact]
    public void Shuffle_FromALaneOutsideTheMask_IsRefused() => Refuses("""
        setp.ge.s32 %p1, %r1, 16;
        @%p1 ret;
        shfl.sync.bfly.b32 %r2, %r1, 16, 31, 0x0000ffff;
        """, "takes the value of lane 16, which does not take part");

    [Fact]
    public void Store_PastTheEnd_NamesKernelLineThreadAndAddress() =>
        Assert.Equal(
            "small.ptx(19): `st.global.u32 [%rd2], %r1`: kernel, block 0, thread 31: store of 4 bytes at address 0x1000000007c = words[byte 124], outside its 124 bytes",
            Assert.Throws<PtxException>(() => Run("st.global.u32 [%rd2], %r1;", words: 31)).Message);

    [Fact]
    public void Load_BeforeTheBegin_IsOutOfBounds() => Refuses("ld.global.u8 %r2, [%rd1+-1];", "load of 1 bytes at address 0xffffffffff = words[byte -1]");

    [Fact]
    public void Load_NullPointer_IsFarFromEveryBuffer() => Refuses("""
        mov.u64 %rd4, 0;
        ld.global.u32 %r2, [%rd4];
        """, "far from every buffer");

    [Fact]
    public void Load_Misaligned_IsRefused() => Refuses("ld.global.u32 %r2, [%rd1+2];", "misaligned load of 4 bytes");

    [Fact]
    public void Load_VectorAtAnElementsAlignment_IsRefused() =>
        Refuses("ld.global.v4.u32 {%r2, %r3, %r4, %r5}, [%rd1+4];", "misaligned load of 16 bytes");

    [Fact]
    public void Load_VectorPartlyPastTheEnd_IsRefused() =>
        Refuses("ld.global.v4.u32 {%r2, %r3, %r4, %r5}, [%rd1+16];", "outside its 28 bytes", words: 7);

    [Fact]
    public void Load_SignedByteIntoAWideRegister_KeepsItsSign() => Assert.Equal(unchecked((uint)-2), Run("""
        mov.u32 %r2, 254;
        st.global.u8 [%rd1], %r2;
        ld.global.s8 %r3, [%rd1];
        st.global.u32 [%rd1], %r3;
        """, blockSize: 1)[0]);

    [Fact]
    public void VectorAccess_RoundTrip_KeepsTheOrder() => Assert.Equal([4u, 3, 2, 1, 1, 2, 3, 4], Run("""
        mov.u32 %r2, 1;
        mov.u32 %r3, 2;
        mov.u32 %r4, 3;
        mov.u32 %r5, 4;
        st.global.v4.b32 [%rd1+16], {%r2, %r3, %r4, %r5};
        ld.global.v4.b32 {%r5, %r4, %r3, %r2}, [%rd1+16];
        st.global.v4.b32 [%rd1], {%r2, %r3, %r4, %r5};
        """, blockSize: 1, words: 8));

    [Fact]
    public void Halves_PackedAndUnpacked_SwapPlaces() => Assert.Equal(0x5678_1234u, Run("""
        mov.b32 %r2, 0x12345678;
        mov.b32 {%rs1, %rs2}, %r2;
        mov.b32 %r3, {%rs2, %rs1};
        { .reg .b32 tmp; cvt.u64.u32 %rd4, %r3; shl.b64 %rd4, %rd4, 32; mov.b64 {tmp, %r4}, %rd4; }
        st.global.u32 [%rd1], %r4;
        """, blockSize: 1)[0]);

    [Fact]
    public void Immediates_OfFloats_AreTheirBits() => Assert.Equal(0x40400000u, Run("""
        mov.f32 %f1, 0f3F800000;
        add.rn.f32 %f2, %f1, 0f40000000;
        st.global.f32 [%rd1], %f2;
        """, blockSize: 1)[0]);

    [Fact]
    public void Loop_WithoutEnd_IsStopped() => Refuses("""
        $loop:
        bra.uni $loop;
        """, "still runs after", blockSize: 1);

    [Theory]
    [InlineData("add.f32 %f1, %f2, %f3;", "small.ptx(19): `add.f32 %f1, %f2, %f3`: unknown instruction add.f32")]
    [InlineData("tex.2d.v4.f32 %f1, %f2;", "unknown instruction tex.2d.v4.f32")]
    [InlineData("ld.shared.u32 %r2, [%rd1];", "unknown instruction ld.shared.u32")]
    [InlineData("st.global.nc.u32 [%rd1], %r2;", "unknown instruction st.global.nc.u32")]
    [InlineData(".shared .align 4 .b8 buffer[64];", "not an instruction")]
    [InlineData("add.s32 %r2, %r1;", "takes 3 operands, not 2")]
    [InlineData("add.s32 %r2, %rd1, %r1;", "%rd1 is a register of type .b64 where .s32 is wanted")]
    [InlineData("add.s32 %r2, %f1, %r1;", "%f1 is a register of type .f32 where .s32 is wanted")]
    [InlineData("add.s32 %r2, %r9, 1;", "%r9 is no operand")]
    [InlineData("add.s32 %r2, %r1, 0f3F800000;", "0f3F800000 is no operand")]
    [InlineData("add.s32 %r2, %r1, 4294967296;", "4294967296 is no operand")]
    [InlineData("mov.u32 %tid.x, %r1;", "%tid.x cannot be written")]
    [InlineData("mov.u32 %r2, %tid.y;", "%tid.y is no operand")]
    [InlineData("ld.param.u32 %r2, [kernel_param_0];", "a load of .u32 from a parameter of .u64")]
    [InlineData("ld.global.v4.u32 {%r2, %r3}, [%rd1];", "does not take 2 elements")]
    [InlineData("bra $nowhere;", "jumps to $nowhere, which is nowhere")]
    [InlineData("$twice: $twice: ret;", "a second label $twice")]
    [InlineData(".reg .b32 %r<2>;", "a second register %r0")]
    public void Text_NotKnown_IsRefusedWithItsPlace(string statement, string message) =>
        Assert.Contains(message, Assert.Throws<PtxException>(() => Kernel(statement)).Message, StringComparison.Ordinal);

    [Fact]
    public void Launch_ArgumentsOfOtherSizes_AreRefused()
    {
        Assert.Contains("has 2 parameters, not 1", Launch([new byte[8]]), StringComparison.Ordinal);
        Assert.Contains("parameter 1 is .u32, the argument has 8 bytes", Launch([new byte[8], new byte[8]]), StringComparison.Ordinal);

        static string Launch(byte[][] arguments) =>
            Assert.Throws<PtxException>(() => PtxMachine.Launch(Kernel(""), new GlobalMemory(), 1, 32, arguments)).Message;
    }
}
