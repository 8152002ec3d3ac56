using System.Security.Cryptography;
using System.Text;
using NinCudnn.Numerics;
using NinCudnn.Tests.Operators;
using Xunit;

namespace NinCudnn.Tests.Numerics;

public class GitBlobTests
{
    [Theory]
    [InlineData("", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")]
    [InlineData("hello\n", "ce013625030ba8dba906f756967f9e9ca394464a")]
    public void Hash_OfKnownContent_IsGits(string content, string expected) => Assert.Equal(expected, GitBlob.Hash(Encoding.ASCII.GetBytes(content)));

    [Fact]
    public void Hash_OfAnyLength_IsTheSha1OfHeadAndContent()
    {
        byte[] content = TestNumbers.Bytes(1000, seed: 3);
        foreach (int length in Enumerable.Range(0, 300).Append(1000)) // the padding takes every form
        {
#pragma warning disable CA5350 // what is tested is defined by it
            string expected = Convert.ToHexStringLower(SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {length}\0"), .. content.AsSpan(0, length)]));
#pragma warning restore CA5350
            Assert.Equal(expected, GitBlob.Hash(content.AsSpan(0, length)));
        }
    }
}
