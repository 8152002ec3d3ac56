using System.Security.Cryptography;
using System.Text;
using NinCudnn.Numerics;
using NinCudnn.Tests.Operators;
using Xunit;

namespace NinCudnn.Tests.Numerics;

public class Sha256Tests
{
    [Theory] // FIPS 180-4's examples
    [InlineData("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    public void Finish_OfKnownContent_IsTheStandards(string content, string expected)
    {
        var hash = new Sha256();
        hash.Append(Encoding.ASCII.GetBytes(content));
        Assert.Equal(expected, Convert.ToHexStringLower(hash.Finish()));
    }

    [Fact]
    public void Finish_OfAnyLengthInAnyPieces_IsTheHashOfTheWhole()
    {
        byte[] content = TestNumbers.Bytes(1000, seed: 3);
        foreach (int length in Enumerable.Range(0, 300).Append(1000)) // the padding takes every form
        {
            var hash = new Sha256();
            for (int start = 0, piece = length % 7; start < length; start += piece, piece = piece * 3 % 101 + 1)
                hash.Append(content.AsSpan(start, piece = Math.Min(piece, length - start)));
            Assert.Equal(SHA256.HashData(content.AsSpan(0, length)), hash.Finish());
        }
    }
}
