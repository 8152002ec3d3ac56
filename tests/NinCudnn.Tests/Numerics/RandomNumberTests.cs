using NinCudnn.Numerics;
using Xunit;

namespace NinCudnn.Tests.Numerics;

public class RandomNumberTests
{
    // The reference vectors of FNV-1a's authors.
    [Theory]
    [InlineData("", 0xcbf29ce484222325)]
    [InlineData("a", 0xaf63dc4c8601ec8c)]
    [InlineData("foobar", 0x85944171f73967e8)]
    [InlineData("0.0.weight", 0x38523ccc395c31a9)]
    public void Fnv1a_KnownText_GivesPublishedHash(string text, ulong expected) => Assert.Equal(expected, Fnv1a.Hash64(text));

    [Fact]
    public void Fnv1a_Text_IsHashedAsUtf8() => Assert.Equal(Fnv1a.Hash64([0xc3, 0xa4]), Fnv1a.Hash64("ä"));

    [Fact]
    public void SplitMix64_StateZero_GivesPublishedSequence()
    {
        var generator = new SplitMix64(0);

        Assert.Equal(
            [0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f],
            new[] { generator.NextUInt64(), generator.NextUInt64(), generator.NextUInt64() });
    }

    [Fact]
    public void SplitMix64_NextUnit_IsTheUpper24Bits()
    {
        var words = new SplitMix64(123);
        var units = new SplitMix64(123);
        for (var i = 0; i < 1000; i++)
        {
            var unit = units.NextUnit();
            Assert.InRange(unit, 0, 1 - 1.0 / (1 << 24));
            Assert.Equal(words.NextUInt64() >> 40, unit * (1 << 24));
            Assert.Equal(unit, (float)unit);
        }
    }

    // The known answers of the Random123 library for philox4x32 with 10 rounds: counter, key, result.
    [Theory]
    [InlineData(
        new uint[] { 0, 0, 0, 0 }, 0x0000000000000000, new uint[] { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 })]
    [InlineData(
        new uint[] { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff }, 0xffffffffffffffff,
        new uint[] { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd })]
    [InlineData(
        new uint[] { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 }, 0x299f31d0a4093822,
        new uint[] { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 })]
    public void Philox4x32_KnownCounter_GivesPublishedBlock(uint[] counter, ulong key, uint[] expected)
    {
        var (x0, x1, x2, x3) = Philox4x32.Block(counter[0], counter[1], counter[2], counter[3], key);

        Assert.Equal(expected, new[] { x0, x1, x2, x3 });
    }
}
