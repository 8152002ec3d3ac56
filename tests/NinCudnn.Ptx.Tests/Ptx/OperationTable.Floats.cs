using System.Numerics;

namespace NinCudnn.Ptx.Tests.Ptx;

/// <content>Floating point: IEEE 754 with round to nearest even, subnormals kept. A NaN that arithmetic makes is the GPU's own.</content>
internal sealed partial class OperationTable
{
    private const uint CanonicalNan = 0x7fffffff;
    private const ulong CanonicalNan64 = 0x7ff8000000000000;

    private static readonly PtxType _f16 = new(PtxKind.Float, 16);
    private static readonly PtxType _f32 = new(PtxKind.Float, 32);
    private static readonly PtxType _f64 = new(PtxKind.Float, 64);

    private static float Single(ulong bits) => BitConverter.UInt32BitsToSingle((uint)bits);

    private static ulong Bits(float value) => float.IsNaN(value) ? CanonicalNan : BitConverter.SingleToUInt32Bits(value);

    private static double Double(ulong bits) => BitConverter.UInt64BitsToDouble(bits);

    private static ulong Bits(double value) => double.IsNaN(value) ? CanonicalNan64 : BitConverter.DoubleToUInt64Bits(value);

    private void AddFloats(int approximation)
    {
        AddArithmetic(_f32, Single, Bits);
        AddArithmetic(_f64, Double, Bits);
        AddFloatConversions();
        Add("ex2.approx.f32", _f32, [_f32], (a, _, _) => Bits(Exp2(Single(a), Direction(a))));
        Add("lg2.approx.f32", _f32, [_f32], (a, _, _) => Bits(Log2(Single(a), Direction(a))));

        int Direction(ulong bits) => (BitOperations.PopCount(bits) & 1) == 0 ? approximation : -approximation;
    }

    private void AddArithmetic<T>(PtxType type, Func<ulong, T> value, Func<T, ulong> bits)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        ulong sign = 1UL << (type.Bits - 1);
        Add($"add.rn{type}", type, [type, type], (a, b, _) => bits(value(a) + value(b)));
        Add($"sub.rn{type}", type, [type, type], (a, b, _) => bits(value(a) - value(b)));
        Add($"mul.rn{type}", type, [type, type], (a, b, _) => bits(value(a) * value(b)));
        Add($"div.rn{type}", type, [type, type], (a, b, _) => bits(value(a) / value(b)));
        Add($"fma.rn{type}", type, [type, type, type], (a, b, c) => bits(T.FusedMultiplyAdd(value(a), value(b), value(c))));
        Add($"rcp.rn{type}", type, [type], (a, _, _) => bits(T.One / value(a)));
        Add($"sqrt.rn{type}", type, [type], (a, _, _) => bits(T.Sqrt(value(a))));
        Add($"neg{type}", type, [type], (a, _, _) => a ^ sign);
        Add($"abs{type}", type, [type], (a, _, _) => a & ~sign);
        // Of a number and a NaN the number is taken; -0 is less than +0.
        Add($"min{type}", type, [type, type], (a, b, _) => bits(T.MinNumber(value(a), value(b))));
        Add($"max{type}", type, [type, type], (a, b, _) => bits(T.MaxNumber(value(a), value(b))));

        void Comparison(string name, Func<T, T, bool> holds) =>
            Add($"setp.{name}{type}", PtxType.Predicate, [type, type], (a, b, _) => Bit(holds(value(a), value(b))));
        bool IsUnordered(T a, T b) => T.IsNaN(a) || T.IsNaN(b);
        Comparison("eq", (a, b) => a == b);
        Comparison("ne", (a, b) => a < b || a > b); // ordered, unlike C#'s operator
        Comparison("lt", (a, b) => a < b);
        Comparison("le", (a, b) => a <= b);
        Comparison("gt", (a, b) => a > b);
        Comparison("ge", (a, b) => a >= b);
        Comparison("equ", (a, b) => IsUnordered(a, b) || a == b);
        Comparison("neu", (a, b) => a != b);
        Comparison("ltu", (a, b) => !(a >= b));
        Comparison("leu", (a, b) => !(a > b));
        Comparison("gtu", (a, b) => !(a <= b));
        Comparison("geu", (a, b) => !(a < b));
        Comparison("num", (a, b) => !IsUnordered(a, b));
        Comparison("nan", IsUnordered);
    }

    private void AddFloatConversions()
    {
        Add("cvt.f64.f32", _f64, [_f32], (a, _, _) => Bits((double)Single(a)));
        Add("cvt.rn.f32.f64", _f32, [_f64], (a, _, _) => Bits((float)Double(a)));
        // Halves lie in .b16 registers.
        Add("cvt.f32.f16", _f32, [_f16], (a, _, _) => Bits((float)BitConverter.UInt16BitsToHalf((ushort)a)));
        Add("cvt.rn.f16.f32", _f16, [_f32], (a, _, _) =>
            float.IsNaN(Single(a)) ? 0x7fffUL : BitConverter.HalfToUInt16Bits((Half)Single(a)));

        foreach (int bits in (int[])[8, 16, 32]) // not 64: .NET may round those twice
        {
            var (u, s) = (new PtxType(PtxKind.Unsigned, bits), new PtxType(PtxKind.Signed, bits));
            Add($"cvt.rn.f32{u}", _f32, [u], (a, _, _) => Bits((float)(a & u.Mask)), allowsWider: true);
            Add($"cvt.rn.f32{s}", _f32, [s], (a, _, _) => Bits((float)s.SignExtend(a)), allowsWider: true);
            Add($"cvt.rn.f64{u}", _f64, [u], (a, _, _) => Bits((double)(a & u.Mask)), allowsWider: true);
            Add($"cvt.rn.f64{s}", _f64, [s], (a, _, _) => Bits((double)s.SignExtend(a)), allowsWider: true);
        }

        (string Name, Func<double, double> Round)[] modes =
            [("rni", Math.Round), ("rzi", Math.Truncate), ("rmi", Math.Floor), ("rpi", Math.Ceiling)];
        foreach (var (name, round) in modes)
        {
            // Too large a magnitude saturates; NaN becomes 0.
            Add($"cvt.{name}.s32.f32", new PtxType(PtxKind.Signed, 32), [_f32], (a, _, _) => (uint)Saturate(round(Single(a)), int.MinValue, int.MaxValue));
            Add($"cvt.{name}.u32.f32", PtxType.U32, [_f32], (a, _, _) => (uint)Saturate(round(Single(a)), uint.MinValue, uint.MaxValue));
        }
    }

    private static long Saturate(double value, long min, long max) => double.IsNaN(value) ? 0 : (long)Math.Clamp(value, min, max);

    // The manual: a relative error of at most 2^-22; 2^0 is 1. The last rounding takes its part of that.
    private static float Exp2(float x, int direction) =>
        x == 0 ? 1 : (float)(Math.Pow(2, x) * (1 + direction * (Math.ScaleB(1, -22) - Math.ScaleB(1, -24))));

    // The manual: an absolute error of at most 2^-22 between 0.5 and 2, a relative one of that size elsewhere.
    private static float Log2(float x, int direction)
    {
        double error = direction * (Math.ScaleB(1, -22) - Math.ScaleB(1, -24)), exact = Math.Log2(x);
        return (float)(x is > 0.5f and < 2 ? exact + error : exact * (1 + error));
    }
}
