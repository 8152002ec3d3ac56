namespace NinCudnn.Numerics;

/// <summary>
/// Philox4x32 with 10 rounds (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011): a counter-based
/// generator, that is a function from a 128-bit counter and a 64-bit key to 128 random bits, with no state to carry along.
/// </summary>
/// <remarks>Counter 0 with key 0 gives 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8.</remarks>
public static class Philox4x32
{
    private const int Rounds = 10;
    private const uint Multiplier0 = 0xD2511F53;
    private const uint Multiplier1 = 0xCD9E8D57;
    private const uint KeyStep0 = 0x9E3779B9;
    private const uint KeyStep1 = 0xBB67AE85;

    /// <summary>Computes the block of four words that belongs to one counter value.</summary>
    /// <param name="c0">Counter word 0, the least significant.</param>
    /// <param name="c1">Counter word 1.</param>
    /// <param name="c2">Counter word 2.</param>
    /// <param name="c3">Counter word 3, the most significant.</param>
    /// <param name="key">The key; its low half is key word 0.</param>
    /// <returns>The four words, word 0 first.</returns>
    public static (uint X0, uint X1, uint X2, uint X3) Block(uint c0, uint c1, uint c2, uint c3, ulong key)
    {
        unchecked
        {
            var k0 = (uint)key;
            var k1 = (uint)(key >> 32);
            for (var round = 0; round < Rounds; round++)
            {
                var product0 = (ulong)Multiplier0 * c0;
                var product1 = (ulong)Multiplier1 * c2;
                (c0, c1, c2, c3) = ((uint)(product1 >> 32) ^ c1 ^ k0, (uint)product1, (uint)(product0 >> 32) ^ c3 ^ k1, (uint)product0);
                k0 += KeyStep0;
                k1 += KeyStep1;
            }

            return (c0, c1, c2, c3);
        }
    }
}
