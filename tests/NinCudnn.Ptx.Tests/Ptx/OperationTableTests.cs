using Xunit;

namespace NinCudnn.Ptx.Tests.Ptx;

public class OperationTableTests
{
    private const ulong Nan = 0x7fffffff, One = 0x3f800000, Infinity = 0x7f800000, MinusZero = 0x80000000;

    private static ulong Apply(string name, ulong a, ulong b, ulong c) =>
        (new OperationTable(0).Find(name) ?? throw new ArgumentException($"no {name}")).Apply(a, b, c);

    [Theory]
    [InlineData("add.s32", 0xffffffff, 2, 0, 1)]
    [InlineData("add.u16", 0xffff, 2, 0, 1)]
    [InlineData("sub.s64", 0, 1, 0, ulong.MaxValue)]
    [InlineData("mul.lo.s32", 0xfffffffe, 3, 0, 0xfffffffa)]
    [InlineData("mul.lo.s64", ulong.MaxValue, 5, 0, ulong.MaxValue - 4)]
    [InlineData("mul.hi.u32", 0xffffffff, 0xffffffff, 0, 0xfffffffe)]
    [InlineData("mul.hi.s32", 0xffffffff, 2, 0, 0xffffffff)]
    [InlineData("mul.hi.u64", ulong.MaxValue, ulong.MaxValue, 0, ulong.MaxValue - 1)]
    [InlineData("mul.hi.s64", ulong.MaxValue, ulong.MaxValue, 0, 0)]
    [InlineData("mul.wide.u32", 0xffffffff, 4, 0, 0x3fffffffc)]
    [InlineData("mul.wide.s32", 0xffffffff, 4, 0, 0xfffffffffffffffc)]
    [InlineData("mad.lo.s32", 0x10000, 0x10000, 7, 7)]
    [InlineData("mad.wide.u32", 0xffffffff, 0xffffffff, 2, 0xfffffffe00000003)]
    [InlineData("div.s32", 0xfffffff9, 2, 0, 0xfffffffd)] // -7 / 2 = -3
    [InlineData("div.s64", 0xfffffffffffffff9, 2, 0, 0xfffffffffffffffd)]
    [InlineData("div.s32", 0x80000000, 0xffffffff, 0, 0x80000000)]
    [InlineData("div.u32", 0xfffffff9, 2, 0, 0x7ffffffc)]
    [InlineData("rem.s32", 0xfffffff9, 2, 0, 0xffffffff)]
    [InlineData("min.s32", 0xffffffff, 1, 0, 0xffffffff)]
    [InlineData("min.u32", 0xffffffff, 1, 0, 1)]
    [InlineData("max.s64", ulong.MaxValue, 1, 0, 1)]
    [InlineData("neg.s32", 0x80000000, 0, 0, 0x80000000)]
    [InlineData("abs.s32", 0xfffffffb, 0, 0, 5)]
    [InlineData("bfe.u32", 0xabcd1234, 16, 1, 1)]
    [InlineData("bfe.u32", 0xabcd1234, 8, 32, 0xabcd12)]
    [InlineData("bfe.u32", 0xabcd1234, 40, 8, 0)]
    [InlineData("bfe.u64", ulong.MaxValue, 60, 64, 15)]
    public void Integers_AtTheirLimits_WrapAndKeepSigns(string name, ulong a, ulong b, ulong c, ulong expected) =>
        Assert.Equal(expected, Apply(name, a, b, c));

    [Theory]
    [InlineData("shl.b32", 0xffffffff, 31, 0x80000000)]
    [InlineData("shl.b32", 0xffffffff, 32, 0)]
    [InlineData("shl.b32", 0xffffffff, 0xffffffff, 0)]
    [InlineData("shl.b64", 1, 63, 0x8000000000000000)]
    [InlineData("shl.b64", 1, 64, 0)]
    [InlineData("shr.u32", 0x80000000, 31, 1)]
    [InlineData("shr.u32", 0x80000000, 32, 0)]
    [InlineData("shr.s32", 0x80000000, 31, 0xffffffff)]
    [InlineData("shr.s32", 0x80000000, 1000, 0xffffffff)]
    [InlineData("shr.s64", 0x8000000000000000, 64, ulong.MaxValue)]
    [InlineData("shr.u64", ulong.MaxValue, 64, 0)]
    [InlineData("not.b32", 0xf0f0f0f0, 0, 0x0f0f0f0f)]
    [InlineData("not.pred", 1, 0, 0)]
    [InlineData("xor.pred", 1, 1, 0)]
    public void Bits_ShiftedByTheWidthOrMore_LeaveOnlyTheSign(string name, ulong a, ulong b, ulong expected) =>
        Assert.Equal(expected, Apply(name, a, b, 0));

    [Theory]
    [InlineData("cvt.s64.s32", 0x80000000, 0xffffffff80000000)]
    [InlineData("cvt.u64.u32", 0x80000000, 0x80000000)]
    [InlineData("cvt.u32.u64", 0x1_23456789, 0x23456789)]
    [InlineData("cvt.u16.u8", 0x1234, 0x34)]
    [InlineData("cvt.s32.s8", 0x80, 0xffffff80)]
    [InlineData("cvt.rn.f32.u32", 0x01000001, 0x4b800000)] // 2^24 + 1 is a tie
    [InlineData("cvt.rn.f32.u32", 0x01000003, 0x4b800002)]
    [InlineData("cvt.rn.f32.s32", 0xffffffff, 0xbf800000)]
    [InlineData("cvt.rn.f64.u16", 0xffff, 0x40efffe000000000)]
    [InlineData("cvt.f64.f32", One, 0x3ff0000000000000)]
    [InlineData("cvt.rn.f32.f64", 0x3ff0000010000000, One)] // a tie
    [InlineData("cvt.rni.s32.f32", 0x40200000, 2)] // 2.5
    [InlineData("cvt.rni.s32.f32", 0xc0600000, 0xfffffffc)] // -3.5
    [InlineData("cvt.rzi.s32.f32", 0xbfc00000, 0xffffffff)] // -1.5
    [InlineData("cvt.rmi.s32.f32", 0xbfc00000, 0xfffffffe)]
    [InlineData("cvt.rpi.u32.f32", 0x3fc00000, 2)]
    [InlineData("cvt.rzi.s32.f32", Infinity, 0x7fffffff)]
    [InlineData("cvt.rzi.u32.f32", 0xbf800000, 0)]
    [InlineData("cvt.rzi.s32.f32", Nan, 0)]
    public void Conversions_RoundExtendAndSaturate(string name, ulong a, ulong expected) => Assert.Equal(expected, Apply(name, a, 0, 0));

    [Theory]
    [InlineData(0x477fefff, 0x7bff)] // just below 65520
    [InlineData(0x477ff000, 0x7c00)] // 65520 is a tie between 65504 and 65536
    [InlineData(0x3f801000, 0x3c00)] // ties go to even, down here
    [InlineData(0x3f803000, 0x3c02)] // and up here
    [InlineData(0x33000000, 0x0000)] // 2^-25 is a tie between 0 and the least subnormal
    [InlineData(0x33000001, 0x0001)]
    [InlineData(0xb8800000, 0x8400)] // -2^-14, the least normal
    [InlineData(0x387fffff, 0x0400)]
    [InlineData(0xff800000, 0xfc00)]
    [InlineData(0xff800001, 0x7fff)] // every NaN
    public void Half_FromSingle_RoundsToNearestEven(ulong single, ulong half) => Assert.Equal(half, Apply("cvt.rn.f16.f32", single, 0, 0));

    [Theory]
    [InlineData(0x0001, 0x33800000)]
    [InlineData(0x83ff, 0xb87fc000)]
    [InlineData(0x7bff, 0x477fe000)]
    [InlineData(0xfc00, 0xff800000)]
    [InlineData(0x7c01, Nan)]
    public void Half_ToSingle_IsExact(ulong half, ulong single) => Assert.Equal(single, Apply("cvt.f32.f16", half, 0, 0));

    [Theory]
    [InlineData("add.rn.f32", One, 0x33800000, 0, One)] // 1 + 2^-24 is a tie
    [InlineData("add.rn.f32", One, 0x33800001, 0, 0x3f800001)]
    [InlineData("add.rn.f32", Infinity, 0xff800000, 0, Nan)]
    [InlineData("add.rn.f32", 0x00000001, 0x00000001, 0, 0x00000002)] // subnormals stay
    [InlineData("sub.rn.f32", One, One, 0, 0)]
    [InlineData("mul.rn.f32", 0x00800000, 0x3f000000, 0, 0x00400000)]
    [InlineData("mul.rn.f32", 0xffc00001, One, 0, Nan)]
    [InlineData("div.rn.f32", One, 0x40400000, 0, 0x3eaaaaab)]
    [InlineData("div.rn.f32", One, MinusZero, 0, 0xff800000)]
    [InlineData("rcp.rn.f32", 0x44800000, 0, 0, 0x3a800000)]
    [InlineData("sqrt.rn.f32", 0x40000000, 0, 0, 0x3fb504f3)]
    [InlineData("fma.rn.f32", 0x3f800001, 0x3f7fffff, 0xbf800000, 0x337ffffe)] // one rounding, where two give 0
    [InlineData("neg.f32", 0, 0, 0, MinusZero)]
    [InlineData("abs.f32", 0xff800000, 0, 0, Infinity)]
    [InlineData("min.f32", Nan, One, 0, One)]
    [InlineData("max.f32", One, Nan, 0, One)]
    [InlineData("max.f32", Nan, 0xffffffff, 0, Nan)]
    [InlineData("min.f32", 0, MinusZero, 0, MinusZero)]
    [InlineData("max.f32", MinusZero, 0, 0, 0)]
    [InlineData("add.rn.f64", 0x3ff0000000000000, 0x3ca0000000000000, 0, 0x3ff0000000000000)]
    [InlineData("ex2.approx.f32", MinusZero, 0, 0, One)]
    [InlineData("ex2.approx.f32", 0xff800000, 0, 0, 0)]
    [InlineData("ex2.approx.f32", 0xc3150000, 0, 0, 1)] // 2^-149
    [InlineData("lg2.approx.f32", 0x41000000, 0, 0, 0x40400000)]
    [InlineData("lg2.approx.f32", 0, 0, 0, 0xff800000)]
    [InlineData("lg2.approx.f32", 0xbf800000, 0, 0, Nan)]
    public void Floats_RoundToNearestEven(string name, ulong a, ulong b, ulong c, ulong expected) => Assert.Equal(expected, Apply(name, a, b, c));

    // Each comparison of 1 with 2, 1 with 1, 2 with 1 and NaN with 1.
    [Theory]
    [InlineData("eq", "0100")]
    [InlineData("ne", "1010")]
    [InlineData("lt", "1000")]
    [InlineData("le", "1100")]
    [InlineData("gt", "0010")]
    [InlineData("ge", "0110")]
    [InlineData("equ", "0101")]
    [InlineData("neu", "1011")]
    [InlineData("ltu", "1001")]
    [InlineData("leu", "1101")]
    [InlineData("gtu", "0011")]
    [InlineData("geu", "0111")]
    [InlineData("num", "1110")]
    [InlineData("nan", "0001")]
    public void Comparisons_OrderedAndUnordered_TreatNanByTheirName(string comparison, string expected)
    {
        const ulong Two = 0x40000000;
        (ulong A, ulong B)[] pairs = [(One, Two), (One, One), (Two, One), (Nan, One)];
        Assert.Equal(expected, string.Concat(pairs.Select(pair => Apply($"setp.{comparison}.f32", pair.A, pair.B, 0))));
    }

    [Theory]
    [InlineData("setp.lt.s32", 0xffffffff, 0, 1)]
    [InlineData("setp.lt.u32", 0xffffffff, 0, 0)]
    [InlineData("setp.ge.s64", 0x8000000000000000, 0, 0)]
    [InlineData("setp.gt.u64", 0x8000000000000000, 0, 1)]
    [InlineData("setp.eq.b32", 5, 5, 1)]
    public void Comparisons_OfIntegers_KnowTheSign(string name, ulong a, ulong b, ulong expected) => Assert.Equal(expected, Apply(name, a, b, 0));

    [Fact]
    public void Selection_TakesTheFirstWhereThePredicateHolds()
    {
        Assert.Equal(7UL, Apply("selp.b32", 7, 9, 1));
        Assert.Equal(9UL, Apply("selp.b32", 7, 9, 0));
    }

    [Fact]
    public void Approximations_PushedToTheirBound_StayInsideIt()
    {
        OperationTable up = new(1), down = new(-1);
        foreach (float x in (float[])[0.51f, 0.9f, 1.3f, 1.99f, 5, 100, 1e-20f])
        {
            foreach (OperationTable table in (OperationTable[])[up, down])
            {
                double exp = Value(table, "ex2.approx.f32", -x), exactExp = Math.Pow(2, -x);
                Assert.InRange(Math.Abs(exp / exactExp - 1), Math.ScaleB(1, -24), Math.ScaleB(1, -22));
                double log = Value(table, "lg2.approx.f32", x), exactLog = Math.Log2(x);
                double bound = x is > 0.5f and < 2 ? Math.ScaleB(1, -22) : Math.Abs(exactLog) * Math.ScaleB(1, -22);
                Assert.InRange(Math.Abs(log - exactLog), bound / 4, bound);
            }
        }

        static double Value(OperationTable table, string name, float x) =>
            BitConverter.UInt32BitsToSingle((uint)table.Find(name)!.Apply(BitConverter.SingleToUInt32Bits(x), 0, 0));
    }

    [Fact]
    public void Division_ByZero_IsRefused() => Assert.Throws<PtxException>(() => Apply("div.s32", 1, 0, 0));
}
